"""The report of a model (docs/report.md): one content, rendered as HTML, as Markdown and as JSON."""
