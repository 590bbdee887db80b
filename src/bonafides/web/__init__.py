"""What speaks HTTP. The rooms behind it never see a request or a response."""
