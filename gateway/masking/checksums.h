// Checks that tell a number of its kind from any other digits.

#pragma once

#include <cstddef>
#include <string_view>

namespace sallyport {

// Luhn's check digit (ISO/IEC 7812-1, annex B). digits: '0' to '9' only.
bool passes_luhn(std::string_view digits);

// Whether a card network issues numbers that begin so and are so long.
bool has_card_issuer(std::string_view digits);

// How long an IBAN of a country is (ISO 13616 registry); 0 where the country has none. In upper
// case.
std::size_t iban_length(char first, char second);

// ISO 7064 MOD 97-10 over a whole IBAN: digits and upper-case letters without spaces.
bool passes_mod_97(std::string_view iban);

}  // namespace sallyport
