"""What a model is told, as Markdown; loaded by `core.agent.prompts`."""
