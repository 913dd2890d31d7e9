-- P6: connect, log in, this, close.
SELECT 1;
