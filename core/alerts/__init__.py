"""Text of any shape into typed alerts."""
