"""A scheduler as told by its events: read from the store, without asking anybody."""
