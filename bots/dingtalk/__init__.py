"""DingTalk: a long connection or signed webhooks in, cards (or messages, where no template is set up) out."""
