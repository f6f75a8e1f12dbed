"""Who has to approve what, as OceanBase ODC's task flows do it: flows an administrator defines, tickets that go through them.

    flows ──▶ matching ──▶ tickets ◀── service ──▶ cards, reminders, the runner that carries out
    (versions)  (pure)    (compare-and-set)

Nothing here decides by a model's words: what is matched are facts, and only a person's click or command is a vote.
"""
