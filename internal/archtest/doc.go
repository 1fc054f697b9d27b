// Package archtest holds, as tests, the rules of the house that the compiler does not know: who may import whom, who may write and
// read which tables, and where time comes from. docs/design.md gives the picture; here each rule stands with its reason.
package archtest
