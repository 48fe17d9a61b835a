// Reads a JSON text (RFC 8259) token by token and checks its grammar, without making anything of
// it.
//
// All that is known between two tokens is in the scanner, not on the call stack: nesting costs a
// bit a level, and a text that comes in pieces could be gone on with. What is in a string is not
// decoded, and bytes of other scripts are not checked.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport {

enum class JsonToken : std::uint8_t {
    object_begin,
    object_end,
    array_begin,
    array_end,
    key,  // with the colon behind it read
    string,
    number,
    boolean,
    null,
    end,    // of the text
    wrong,  // no JSON, or nested too deeply; nothing comes after it
};

class JsonScanner {
public:
    static constexpr std::size_t deepest = 1000;

    // The text outlives the scanner.
    explicit JsonScanner(std::string_view text) : text_(text) {}

    JsonToken next();

    // The last token as it stands in the text; a key or string with its quotes.
    std::string_view token() const { return text_.substr(begin_, end_ - begin_); }
    std::size_t begin() const { return begin_; }
    std::size_t end() const { return end_; }
    // The last key or string has escapes.
    bool escaped() const { return escaped_; }
    // What the last key or string says.
    std::string decoded() const;
    // Where it has no escapes: between its quotes.
    std::string_view content() const { return text_.substr(begin_ + 1, end_ - begin_ - 2); }

    // Arrays and objects that are open.
    std::size_t depth() const { return depth_; }

private:
    enum class Expect : std::uint8_t {
        value,
        value_or_end,
        key,
        key_or_end,
        comma_or_end,
        nothing
    };

    void skip_space();
    JsonToken value(char first);
    JsonToken open(bool object);
    JsonToken close(bool object);
    JsonToken word(std::string_view literal, JsonToken token);
    JsonToken wrong();
    bool read_string();
    bool read_number();
    bool in_object() const
    {
        return ((objects_[(depth_ - 1) / 64] >> ((depth_ - 1) % 64)) & 1) != 0;
    }
    void value_ended() { expect_ = depth_ == 0 ? Expect::nothing : Expect::comma_or_end; }

    std::string_view text_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;  // of the last token
    std::size_t at_ = 0;   // what is read next; behind the colon of a key
    std::size_t depth_ = 0;
    std::array<std::uint64_t, (deepest + 63) / 64> objects_{};  // a bit for each level
    Expect expect_ = Expect::value;
    bool escaped_ = false;
};

// Appends a text as a JSON string, with its quotes.
void quote_json(std::string& into, std::string_view text);

}  // namespace sallyport
