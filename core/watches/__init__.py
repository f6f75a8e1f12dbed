"""Promises with a clock: follow, mute, "tell me when it is ready or call someone", a card every morning.

A promise is one row (`register`). `course` says, without touching anything, what becomes of one at a moment; `ticking`
looks at the world twice a minute, once for all of them, and moves rows by compare-and-set; `telling` shows a row that
changed. A process may die anywhere between: the next tick, on whichever replica, finds what is due or untold.
"""
