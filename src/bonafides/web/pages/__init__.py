"""What people meet in a browser: plain pages and forms over the same rooms' functions as the API."""
