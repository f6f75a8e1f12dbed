"""The REST interface: `/api/v1/flows`, `/api/v1/tickets`, and the OpenAPI document that describes them.

One table of endpoints makes both the routes and the document, so neither can say what the other does not do.
"""
