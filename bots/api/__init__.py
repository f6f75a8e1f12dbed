"""The REST interface: flows, tickets, what chats hear of, and the OpenAPI document that describes them.

One table of endpoints makes both the routes and the document, so neither can say what the other does not do.
"""
