package database

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// StringMap is a JSON object of strings in a jsonb column.
type StringMap map[string]string

// Scan reads the object.
func (m *StringMap) Scan(src any) error {
	data, ok := src.([]byte)
	if !ok {
		return fmt.Errorf("a jsonb value is read as %T, not as bytes", src)
	}
	*m = nil
	return json.Unmarshal(data, m)
}

// Value gives the object to the driver; a nil map is an empty object.
func (m StringMap) Value() (driver.Value, error) {
	if m == nil {
		return "{}", nil
	}
	data, err := json.Marshal(m)
	return string(data), err
}
