"""Orders, reports and answers between DEFT and JEDI, and the bells that say: look now."""
