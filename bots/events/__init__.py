"""Ways in for other systems: DataWorks' events, OpenLineage, and whatever tools post to group robots."""
