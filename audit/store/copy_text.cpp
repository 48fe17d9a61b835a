#include "audit/store/copy_text.h"

#include <algorithm>

namespace sallyport {
namespace {

constexpr std::int64_t ms_of_day = 86400000;
constexpr std::int64_t year_2000_ms = 946684800000;
constexpr std::int64_t year_2200_ms = 7258118400000;

}  // namespace

CopyRows::CopyRows(std::int16_t columns) : columns_(columns)
{
    // Signature, flags, length of the extension (PostgreSQL: COPY, "Binary Format").
    rows_.assign("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
}

void CopyRows::put(std::uint64_t value, int octets)
{
    for (int i = octets - 1; i >= 0; --i)
        rows_ += static_cast<char>(value >> (8 * i) & 0xFF);
}

void CopyRows::begin_row()
{
    put(static_cast<std::uint64_t>(columns_), 2);
}

void CopyRows::null()
{
    put(0xFFFFFFFF, 4);
}

void CopyRows::int2(std::int16_t value)
{
    put(2, 4);
    put(static_cast<std::uint64_t>(value), 2);
}

void CopyRows::int4(std::int32_t value)
{
    put(4, 4);
    put(static_cast<std::uint64_t>(value), 4);
}

void CopyRows::int8(std::int64_t value)
{
    put(8, 4);
    put(static_cast<std::uint64_t>(value), 8);
}

void CopyRows::time(std::int64_t ms)
{
    int8((ms - year_2000_ms) * 1000);
}

void CopyRows::uuid(const Uuid& id)
{
    bytes(std::as_bytes(std::span(id.octets)));
}

void CopyRows::bytes(Bytes value)
{
    put(value.size(), 4);
    rows_ += text_of(value);
}

std::string CopyRows::finish()
{
    put(0xFFFF, 2);
    return std::move(rows_);
}

std::int64_t storable_ms(std::int64_t ms)
{
    return std::clamp(ms, year_2000_ms, year_2200_ms - 1);
}

std::int64_t day_of(std::int64_t ms)
{
    return ms / ms_of_day;
}

void ArrayText::add(std::string_view element)
{
    if (!elements_.empty())
        elements_ += ',';
    elements_ += '"';
    for (const char letter : element) {
        if (letter == '"' || letter == '\\')
            elements_ += '\\';
        elements_ += letter;
    }
    elements_ += '"';
}

void ArrayText::add(std::int64_t element)
{
    if (!elements_.empty())
        elements_ += ',';
    elements_ += std::to_string(element);
}

}  // namespace sallyport
