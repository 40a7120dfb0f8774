// Package kv is planted: a door that knows what is behind the house.
package kv

import _ "tally/rewards"
