package b2binpay

import (
	"encoding/json"
	"errors"
	"regexp"
	"unicode/utf8"

	"b2trader.identity.auth/identity/internal/httpx"
)

// The forms of a signed status and amount.
var (
	integer = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	decimal = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]+)?$`)
)

// readCallback parses a body and returns its signature, which it does not check:
// Signed only means that it has one. The data is a deposit or of payoutType, of
// which "" allows none.
func readCallback(body []byte, payoutType string) (cb *Callback, sign string, err error) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, "", errors.New("not JSON in UTF-8")
	}
	root, err := readObject(body, "data", "included", "meta")
	if err != nil {
		return nil, "", err
	}
	cb = &Callback{Raw: body}
	sign, err = cb.readMeta(root["meta"])
	if err := errors.Join(err, cb.readData(root["data"], payoutType), cb.readIncluded(root["included"])); err != nil {
		return nil, "", err
	}
	cb.Signed = sign != ""
	switch {
	case cb.Signed && cb.TransferID == "":
		return nil, "", errors.New("a signature without a transfer")
	case cb.Signed && cb.Time.IsZero():
		return nil, "", errors.New("meta.time is not a time")
	}
	return cb, sign, nil
}

// readMeta reads meta, which an unsigned callback may lack.
func (cb *Callback) readMeta(raw json.RawMessage) (sign string, err error) {
	if isNull(raw) {
		return "", nil
	}
	meta, err := readObject(raw, "time", "sign")
	if err != nil {
		return "", err
	}
	cb.TimeText, err = meta.text("time")
	if err != nil {
		return "", err
	}
	cb.Time, _ = httpx.ParseTime(cb.TimeText)
	return meta.text("sign")
}

// readData reads the deposit or payout.
func (cb *Callback) readData(raw json.RawMessage, payoutType string) error {
	data, attributes, err := readResource(raw, "tracking_id")
	if err != nil {
		return err
	}
	id, err := data.id()
	switch kind, _ := data.text("type"); {
	case kind == "deposit":
		cb.DepositID = id
	case kind != "" && kind == payoutType:
		cb.PayoutID = id
	default:
		return errors.New("data is not a deposit, nor a payout of version 3")
	}
	if err != nil {
		return err
	}
	cb.TrackingID, err = attributes.text("tracking_id")
	return err
}

// maxIncluded bounds the resources that come with the data. The vendor's sample
// has two.
const maxIncluded = 1000

// readIncluded finds the transfer among the included resources. It refuses two
// transfers, because either could be the signed one.
func (cb *Callback) readIncluded(raw json.RawMessage) error {
	if isNull(raw) {
		return nil
	}
	count := 0
	return eachElement(raw, func(element json.RawMessage) error {
		if count++; count > maxIncluded {
			return errors.New("too many resources")
		}
		transfer, attributes, err := readResource(element, "status", "amount")
		if err != nil {
			return err
		}
		if kind, err := transfer.text("type"); kind != "transfer" {
			return err
		}
		if cb.TransferID != "" {
			return errors.New("more than one transfer")
		}
		return cb.readTransfer(transfer, attributes)
	})
}

func (cb *Callback) readTransfer(transfer, attributes object) (err error) {
	if cb.TransferID, err = transfer.id(); err != nil {
		return err
	}
	if cb.Status, err = attributes.text("status"); err != nil {
		return err
	}
	if cb.Amount, err = attributes.text("amount"); err != nil {
		return err
	}
	if !integer.MatchString(cb.Status) || !decimal.MatchString(cb.Amount) {
		return errors.New("the transfer's status or amount is not a number")
	}
	return nil
}
