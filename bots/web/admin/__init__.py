"""The administration `/admin`: flows, tickets, people, switches, the trail. What chat and REST do, for a browser.

desk.py      what every page needs: who asks, drawing, answers, refusals
forms.py     fields into nested values, and what is wrong into sentences beside the fields
flows.py     flows: list, view, edit, order, import and export
tickets.py   tickets: list, progress and history, decisions; where cards lead that cannot ask for a reason
people.py    people: roles, projects, groups, messengers
switches.py  the assistant and its model
audit.py     the trail: search, verify, export
routes.py    puts it together

Nothing is decided here: every change is a call of the service that chat, REST and the command line call.
"""
