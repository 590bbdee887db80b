"""The verification plane: who is this, may they, how much is left."""
