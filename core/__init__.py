"""What X-Ops knows of people, pipelines and cards. It knows no messenger and no web framework (tests/test_shape.py)."""
