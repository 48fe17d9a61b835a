#include "gateway/masking/checksums.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace sallyport {

namespace {

struct Issuer {
    std::uint32_t first;  // the least and the greatest number of that many digits
    std::uint32_t last;
    std::uint8_t digits;
    std::uint8_t shortest;
    std::uint8_t longest;
};

constexpr std::array<Issuer, 31> issuers = {{
    {4, 4, 1, 13, 13},            // Visa
    {4, 4, 1, 16, 16},            //
    {4, 4, 1, 19, 19},            //
    {51, 55, 2, 16, 16},          // Mastercard
    {2221, 2720, 4, 16, 16},      //
    {34, 34, 2, 15, 15},          // American Express
    {37, 37, 2, 15, 15},          //
    {300, 305, 3, 14, 19},        // Diners Club
    {3095, 3095, 4, 14, 19},      //
    {36, 36, 2, 14, 19},          //
    {38, 39, 2, 14, 19},          //
    {6011, 6011, 4, 16, 19},      // Discover
    {644, 649, 3, 16, 19},        //
    {65, 65, 2, 16, 19},          //
    {3528, 3589, 4, 16, 19},      // JCB
    {62, 62, 2, 16, 19},          // UnionPay
    {81, 81, 2, 16, 19},          //
    {5018, 5018, 4, 13, 19},      // Maestro
    {5020, 5020, 4, 13, 19},      //
    {5038, 5038, 4, 13, 19},      //
    {5893, 5893, 4, 13, 19},      //
    {6304, 6304, 4, 13, 19},      //
    {6759, 6759, 4, 13, 19},      //
    {6761, 6763, 4, 13, 19},      //
    {2200, 2204, 4, 16, 19},      // Mir
    {60, 60, 2, 16, 16},          // RuPay
    {82, 82, 2, 16, 16},          //
    {508, 508, 3, 16, 16},        //
    {9792, 9792, 4, 16, 16},      // Troy
    {636297, 636368, 6, 16, 16},  // Elo
    {506699, 506778, 6, 16, 16},  //
}};

struct CountryLength {
    char country[3];
    std::uint8_t length;
};

constexpr std::array<CountryLength, 89> country_lengths = {{
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22},
    {"BH", 22}, {"BI", 27}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24},
    {"DE", 22}, {"DJ", 27}, {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18},
    {"FK", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27},
    {"GT", 28}, {"HN", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26},
    {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20},
    {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MN", 20},
    {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"OM", 23}, {"PK", 24},
    {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"RU", 33}, {"SA", 24},
    {"SC", 31}, {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"SO", 23}, {"ST", 25},
    {"SV", 28}, {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20},
    {"YE", 30},
}};

std::uint32_t leading_number(std::string_view digits, std::size_t count)
{
    std::uint32_t number = 0;
    for (const char digit : digits.substr(0, count))
        number = number * 10 + static_cast<std::uint32_t>(digit - '0');
    return number;
}

}  // namespace

bool passes_luhn(std::string_view digits)
{
    unsigned sum = 0;
    bool doubled = false;
    for (std::size_t i = digits.size(); i-- > 0; doubled = !doubled) {
        const auto digit = static_cast<unsigned>(digits[i] - '0');
        sum += doubled ? digit * 2 - (digit > 4 ? 9 : 0) : digit;
    }
    return !digits.empty() && sum % 10 == 0;
}

bool has_card_issuer(std::string_view digits)
{
    return std::ranges::any_of(issuers, [&](const Issuer& issuer) {
        if (digits.size() < issuer.shortest || digits.size() > issuer.longest)
            return false;
        const std::uint32_t number = leading_number(digits, issuer.digits);
        return number >= issuer.first && number <= issuer.last;
    });
}

std::size_t iban_length(char first, char second)
{
    for (const CountryLength& known : country_lengths) {
        if (known.country[0] == first && known.country[1] == second)
            return known.length;
    }
    return 0;
}

bool passes_mod_97(std::string_view iban)
{
    if (iban.size() < 5)
        return false;
    unsigned rest = 0;
    for (std::size_t i = 0; i < iban.size(); ++i) {
        const char c = iban[(i + 4) % iban.size()];  // country and check digits come last
        if (c >= '0' && c <= '9')
            rest = (rest * 10 + static_cast<unsigned>(c - '0')) % 97;
        else
            rest = (rest * 100 + static_cast<unsigned>(c - 'A') + 10) % 97;
    }
    return rest == 1;
}

}  // namespace sallyport
