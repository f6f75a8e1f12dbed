"""The mobile page `/mobile/ops/chat`: sign-on, the overview, the dialogue and its cards, rendered on the server.

sign_on.py   the ways in: a token, or a messenger that says who it is
web_view.py  what the page knows of such a messenger
session.py   who is signed on
gate.py      what every request must prove: session, origin, session token
channel.py   the Channel: cards go into a table, and whoever watches is woken
render.py    cards to HTML; charts.py computes their geometry
posts.py     what the page sends: messages and clicks
stream.py    server-sent events
routes.py    puts it together under one path
assets.py    style sheet, script and icon, under addresses that never change their content
"""
