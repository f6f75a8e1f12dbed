"""What the agent and the commands can do: `look.py` reads, `act.py` proposes. Nothing here changes a pipeline."""
