// The one place where Asio itself is compiled; the other sources see its declarations.
#include <boost/asio/impl/src.hpp>
