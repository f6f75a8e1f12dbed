"""Feishu (Lark): signed webhooks in, cards out. No vendor SDK: its import costs seconds and its calls block the loop."""
