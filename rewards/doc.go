// Package rewards turns work into money: the roles that commit, audit, post and
// claim epochs, and the reports that say what was earned and why not more.
//
// Beside them stand the ruleset's view of what nodes prove that they keep (package
// possession) and the auditors' checks that they also give it out (package
// retrieval).
//
// The life of an epoch: a worker's receipts and vouchers are in its ledger
// (package ledger). When the epoch is over, its [Committer] redeems the vouchers,
// publishes the batch and commits to it on chain. When the commit window has
// closed, each [Auditor] draws receipts by a block hash that nobody could know
// before, has them repeated and sends signed verdicts. When the audit window has
// closed, the [Poster] applies the ruleset (package ruleset), publishes all of it
// (package epochdata) and anchors the root. Auditors derive it again ([Rederive])
// and vote against one that differs. When it is final, [Bookkeeper] notes every
// receipt's reason and [Claimer] claims.
//
// Every role is a loop over what the chain says: Step looks, does what is due
// and returns; Run calls it until its context ends. There is no recovery: after a
// crash the next Step finds the same chain and the same disk. What must not be
// done differently the second time (a batch, a verdict) is on disk before anybody
// hears of it; everything else is derived anew.
//
// Step of one role is not safe for concurrent use; different roles share nothing
// but what is durable. The package holds no keys except an auditor's, and knows
// neither the network nor the contracts: both come through small interfaces.
package rewards
