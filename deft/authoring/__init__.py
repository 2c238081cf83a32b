"""Text to model and back: GraphML, templates, placeholders."""
