"""Events of other systems: read into types, stored once, handed on in one transaction."""
