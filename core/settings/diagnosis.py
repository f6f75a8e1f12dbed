"""What the people of this installation know about their own failures."""

from core.settings.section import Section


class DiagnosisSettings(Section):
    """Signatures and runbooks of your own; docs/runbooks.md has examples to copy."""

    folder: str = ""
    """Folder of `*.toml` (signatures) and `*.md` (runbooks), beside the settings file or absolute; none when empty."""
