package b2binpaytest

import (
	"encoding/json"
	"strconv"

	"b2trader.identity.auth/identity/apitest"
)

// firstDeposit is the number of the first deposit and firstTransfer that of its
// transfer, as in the vendor's sample.
const (
	firstDeposit  = 11203
	firstTransfer = 17618
)

const address = "0xcb959a408cbfbe64116a2dadc20188c290226fae"

// Callback returns the signed body of a callback about a new transfer, as the
// vendor posts it. Status is the transfer's, 2 for confirmed, and is written as a
// number if it is one. Amount is written as a string. Each call makes another
// deposit.
func (s *Server) Callback(status, amount, trackingID string) []byte {
	return s.callback("deposit", status, amount, trackingID)
}

// PayoutCallback is Callback about a payout, which version 3 reports, too. That
// its body is a deposit's with another type is inferred.
func (s *Server) PayoutCallback(status, amount, trackingID string) []byte {
	return s.callback("payout", status, amount, trackingID)
}

func (s *Server) callback(kind, status, amount, trackingID string) []byte {
	number, now := s.newDeposit(), stamp(s.now())
	transfer := strconv.Itoa(firstTransfer + number)
	data := deposit(number, trackingID, now)
	data.Set("type", kind)
	data.Set("relationships", append(relationships(), apitest.Member{Name: "transfer", Value: related("transfer", transfer)}))
	return apitest.Object{
		{"data", data},
		{"included", []apitest.Object{currency(), {
			{"type", "transfer"}, {"id", transfer}, {"attributes", apitest.Object{
				{"op_id", firstDeposit + number}, {"op_type", 1}, {"amount", amount}, {"commission", "0.001200000000000000"},
				{"fee", "0.000000000000000000"}, {"txid", "0x" + apitest.RandomHex(32)}, {"status", written(status)},
				{"user_message", nil}, {"created_at", now}, {"updated_at", now},
			}},
		}}},
		{"meta", apitest.Object{{"time", now}, {"sign", s.sign(status + amount + trackingID + now)}}},
	}.JSON()
}

// UnsignedCallback returns the body of a "No Transfer" callback: a deposit was
// cancelled or cannot be resolved. The vendor does not sign these.
func (s *Server) UnsignedCallback(trackingID string) []byte {
	number, now := s.newDeposit(), stamp(s.now())
	return apitest.Object{
		{"data", deposit(number, trackingID, now)},
		{"included", []apitest.Object{currency()}},
		{"meta", apitest.Object{{"time", now}}},
	}.JSON()
}

// newDeposit returns the number of a deposit, from 0 on.
func (s *Server) newDeposit() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deposits++
	return s.deposits - 1
}

func deposit(number int, trackingID, now string) apitest.Object {
	return apitest.Object{
		{"type", "deposit"},
		{"id", strconv.Itoa(firstDeposit + number)},
		{"attributes", apitest.Object{
			{"address", address}, {"created_at", now}, {"tracking_id", trackingID}, {"target_paid", "0.300000000000000000"},
			{"destination", apitest.Object{{"address_type", nil}, {"address", address}}},
		}},
		{"relationships", relationships()},
	}
}

func relationships() apitest.Object {
	return apitest.Object{{"currency", related("currency", "1002")}, {"wallet", related("wallet", "318")}}
}

func related(kind, id string) apitest.Object {
	return apitest.Object{{"data", apitest.Object{{"type", kind}, {"id", id}}}}
}

func currency() apitest.Object {
	return apitest.Object{{"type", "currency"}, {"id", "1002"}, {"attributes", apitest.Object{
		{"iso", 1002}, {"name", "Ethereum"}, {"alpha", "ETH"}, {"alias", nil}, {"exp", 18}, {"confirmation_blocks", 3},
		{"minimal_transfer_amount", "0.000000000000000000"}, {"block_delay", 30},
	}}}
}

// written returns status as a JSON number if it is one.
func written(status string) any {
	if _, err := strconv.ParseFloat(status, 64); err == nil && json.Valid([]byte(status)) {
		return json.RawMessage(status)
	}
	return status
}
