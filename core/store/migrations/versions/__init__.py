"""How the schema came to be, step by step; see core/store/migrate.py."""
