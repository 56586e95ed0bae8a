"""What reading has to say, in words for the officer who sent the file. One function a code."""
