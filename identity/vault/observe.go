package vault

import "time"

// A Renewal is the result of one renewal.
type Renewal struct {
	Owner, Client string
	Result        Result
	Duration      time.Duration
	Err           error         // nil if Renewed, Resumed or Joined
	QueueWait     time.Duration // the part of Duration that other renewals of the client went first
	LeaseWait     time.Duration // the part of Duration that another process held the lease
}

// A Wait is the result of one caller's wait for a renewal.
type Wait struct {
	Client   string
	Duration time.Duration
	Err      error // what the caller got in place of a token
}

// A Result classifies a Renewal.
type Result string

// The results of a renewal.
const (
	Renewed   Result = "renewed"
	Resumed   Result = "resumed"   // the refresh token was lost or refused; the State brought new tokens
	Joined    Result = "joined"    // another process renewed the token
	Refused   Result = "refused"   // the entry has ended
	Failed    Result = "failed"    // the entry is kept, and its renewal tried again
	Discarded Result = "discarded" // the entry was deleted meanwhile; a new token went to Config.Revoke
)
