"""WeCom: a self-built app (signed XML callbacks, template cards) and an AI bot (long connection or webhook, streams)."""
