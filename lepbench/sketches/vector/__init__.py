"""SVG documents to the lines that a browser would show; needs the extra `sketches`."""
