"""The portal, where a public body does its monthly duty: sign-in, sending files, receipts and decisions."""
