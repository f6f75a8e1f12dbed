"""From a sentence to tool calls without a model: pure functions over tables of words, in time linear in the text."""
