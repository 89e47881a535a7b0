#!/usr/bin/perl
# The smallest application that follows contract section 4: one request at a time, Perl's core alone.
use strict;
use warnings;
use IO::Socket::UNIX;

my $end = 0;
$SIG{TERM} = sub { $end = 1 };
my $server = IO::Socket::UNIX->new( Local => $ENV{LISTEN}, Listen => 64 ) or die "listen: $!";
until ($end) {
    my $visitor = $server->accept or next;
    my ( $method, $path ) = split ' ', <$visitor> // '';
    while ( defined( my $line = <$visitor> ) ) { last if $line =~ /^\r?\n$/ }
    my $known = ( $path // '' ) =~ m{^/(_deploy/health)?$};
    my ( $status, $body ) = $known ? ( '200 OK', "perl $ENV{RELEASE_COMMIT}" ) : ( '404 Not Found', '' );
    print $visitor "HTTP/1.1 $status\r\nContent-Length: ${\ length $body}\r\nConnection: close\r\n\r\n$body";
    close $visitor;
}
