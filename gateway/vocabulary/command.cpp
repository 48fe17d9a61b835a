#include "gateway/vocabulary/command.h"

namespace sallyport {

ClassSet Command::classes() const
{
    ClassSet all;
    for (const Action& action : actions())
        all |= ClassSet::of(action.action_class);
    return all;
}

std::string names_of(const Vocabulary& vocabulary, ClassSet classes)
{
    std::string names;
    for (std::size_t i = 0; i < vocabulary.classes.size(); ++i) {
        if (!classes.contains(i))
            continue;
        if (!names.empty())
            names += ' ';
        names += vocabulary.classes[i];
    }
    return names;
}

}  // namespace sallyport
