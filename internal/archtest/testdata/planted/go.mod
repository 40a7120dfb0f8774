module tally

go 1.26.5

require (
	example.org/unexplained v1.0.0
	example.org/kept v1.0.0
	example.org/explained v1.0.0 // indirect
)
