"""Why an instance failed or does not start: pure functions over evidence. No model, no network, no clock."""
