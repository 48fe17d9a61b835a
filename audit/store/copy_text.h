// Rows in the form of COPY ... (FORMAT binary), and array parameters.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/ids.h"

namespace sallyport {

// Builds the rows of one COPY. Fields in the order of the columns; the caller keeps the count.
class CopyRows {
public:
    explicit CopyRows(std::int16_t columns);

    void begin_row();
    void null();
    void int2(std::int16_t value);
    void int4(std::int32_t value);
    void int8(std::int64_t value);
    void time(std::int64_t ms);  // timestamptz from milliseconds since 1970
    void uuid(const Uuid& id);
    void bytes(Bytes value);  // bytea, or text that is known to be good
    // Everything, closed; the object is spent.
    std::string finish();

private:
    void put(std::uint64_t value, int octets);

    const std::int16_t columns_;
    std::string rows_;
};

// A time PostgreSQL can store and that belongs to a day worth a partition: 2000 to 2199.
std::int64_t storable_ms(std::int64_t ms);

// Days since 1970 (UTC).
std::int64_t day_of(std::int64_t ms);

// Collects the elements of an array literal: {"a","b"}.
class ArrayText {
public:
    void add(std::string_view element);
    void add(std::int64_t element);
    std::string finish() const { return "{" + elements_ + "}"; }

private:
    std::string elements_;
};

}  // namespace sallyport
