// Messages the gateway writes itself, and fields it reads from messages of others.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/result.h"
#include "protocols/postgres/frame.h"

namespace sallyport::postgres {

// Reads a body field by field. Every read is checked: beyond the end, or a string without its
// terminator, makes failed() true and gives zero or empty from then on.
class BodyReader {
public:
    explicit BodyReader(Bytes body) : rest_(body) {}

    std::uint8_t u8()
    {
        const Bytes taken = bytes(1);
        return taken.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(taken[0]);
    }

    std::uint16_t u16()
    {
        const Bytes taken = bytes(2);
        return taken.empty() ? std::uint16_t{0} : read_u16(taken);
    }

    std::uint32_t u32()
    {
        const Bytes taken = bytes(4);
        return taken.empty() ? std::uint32_t{0} : read_u32(taken);
    }

    // Up to and without its zero byte.
    std::string_view text()
    {
        const std::string_view all = text_of(rest_);
        const std::size_t end = all.find('\0');
        // Without a terminator one byte more than there is: bytes() then fails.
        const Bytes taken = bytes(end == std::string_view::npos ? all.size() + 1 : end + 1);
        return failed_ ? std::string_view{} : text_of(taken.first(taken.size() - 1));
    }

    Bytes bytes(std::size_t count)
    {
        if (failed_ || count > rest_.size()) {
            failed_ = true;
            rest_ = {};
            return {};
        }
        const Bytes taken = rest_.first(count);
        rest_ = rest_.subspan(count);
        return taken;
    }

    Bytes rest() const { return rest_; }
    bool failed() const { return failed_; }

private:
    Bytes rest_;
    bool failed_ = false;
};

// Appends one message to a buffer: begin, then fields, then end.
class MessageWriter {
public:
    explicit MessageWriter(std::string& into) : into_(into) {}

    MessageWriter& begin(char type);
    MessageWriter& u8(std::uint8_t value);
    MessageWriter& u16(std::uint16_t value);
    MessageWriter& u32(std::uint32_t value);
    MessageWriter& text(std::string_view value);  // and a zero byte
    MessageWriter& bytes(Bytes value);
    void end();  // fills in the length

private:
    std::string& into_;
    std::size_t start_ = 0;
};

// Fields of an ErrorResponse or NoticeResponse, in the order they came.
struct Diagnostic {
    std::vector<std::pair<char, std::string>> fields;

    std::string_view field(char tag) const;  // empty where absent
    void set(char tag, std::string value);
};

Result<Diagnostic> read_diagnostic(Bytes body);

// A whole 'E' or 'N' message.
std::string write_diagnostic(char type, const Diagnostic& diagnostic);

// severity "ERROR" or "FATAL"; detail and hint are left out where empty. A whole message.
std::string error_message(std::string_view severity, std::string_view sqlstate,
                          std::string_view message, std::string_view detail = {},
                          std::string_view hint = {});

// A stranger's words, made fit for a log line or another's message: at most 400 bytes, control
// characters as spaces.
std::string printable(std::string_view words);

// The same as a quoted value of a log line: none of the words can end it.
std::string in_quotes(std::string_view words);

}  // namespace sallyport::postgres
