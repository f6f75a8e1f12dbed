"""Who wants to hear of what: a chat subscribes to a project, an owner, a task, a table, a baseline, a tool, or everything.

What happened is described by a `Topic`; `Subscriptions.hearing` says which chats it goes to. Rights are those of whoever
subscribed, asked again for each card: a private chat hears what that person may look at, a group only of projects that they
may operate, since everyone in the group reads along.
"""
