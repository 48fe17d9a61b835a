// Keeps passwords out of the record: string literals that hold one become '[secret]'.

#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sallyport::postgres {

struct SecretAt;

// A text that parses: the literals the tree pointed at, and where bodies is true also every literal
// behind the word PASSWORD inside function bodies.
std::string without_secrets(std::string_view text, std::span<const SecretAt> secrets, bool bodies);

// A text that does not parse: every literal, and what follows the word "password", if it could be
// about a password at all. Sets hidden where something was taken out.
std::string without_possible_secrets(std::string_view text, bool& hidden);

}  // namespace sallyport::postgres
