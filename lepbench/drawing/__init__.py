"""A page on which one draws and watches the picture follow: drawings, the queue of pictures, the server."""
