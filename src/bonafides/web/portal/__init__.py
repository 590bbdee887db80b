"""The documentation at `/docs`: made from the settings and plans in force, so that it says what the server does."""
