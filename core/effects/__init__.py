"""What follows from an event: a failure becomes a diagnosis and a card, a recovery edits it, an operation is recorded.

    event → `meaning` (what it is to people, pure) → `outbox` (a row in the transaction that stored the event)
          → `effects` (durable work: `finding` looks up and diagnoses, `telling` shows it to whom it concerns)

A process may die anywhere between: the row is there as soon as the event is, and the next sweep finds what is not done.
Saying it twice shows nothing twice, since each card has one key.
"""
