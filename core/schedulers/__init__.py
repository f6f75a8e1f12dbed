"""Schedulers behind one Protocol (`base.py`); `fleet.py` asks several at once."""
