"""OAuth 2.0 and OpenID Connect: who may ask for access, what is asked, what was granted, and what came of it."""
