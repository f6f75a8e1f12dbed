"""DataWorks' extension points: an operation in its console waits until we say whether it may go on.

    event → `points` (a row in the transaction that stored the event) → `policy` (answers at once, or says to ask)
          → approval ticket (task type `extension_point`) → verdict → the platform's callback

A verdict is given once (compare-and-set) and told until the platform took it; when nobody answers in time, the stated default
is the verdict. A restart changes none of this.
"""
